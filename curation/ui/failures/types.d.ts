// Types of the Failures page's nouns, for `tsc --checkJs` alone: nothing of this is served.

/** A failure in the grid. */
export interface Row {
  failure_id: number;
  error_type: string | null;
  triage: string | null;
  image: string;
  question: string;
  answer: string;
  golds: string[];
  choices: string[];
}

/** A failure with all that is known of it (api/failures/card). */
export interface Card extends Row {
  [fact: string]: unknown;
}

/** A page of the grid, and how many failures are selected. */
export interface Page {
  of: string; // the filter it was asked for with, as JSON
  offset: number;
  rows: Row[];
  failures: number;
  diagnosed: number;
  teachable: number;
  by_error_type: { error_type: string; failures: number }[];
}

export interface Cluster {
  cluster_id: number;
  title: string;
  error_type: string;
  failures: number;
  shown: number; // of them, what the other facets let through
  [figure: string]: unknown;
}

/** The accuracy of the rounds shown, and the rounds there are. */
export interface Summary {
  version: string; // another one whenever the lists are
  map: string; // another one whenever the map is
  round: number;
  rounds: number[];
  failures: number;
  diagnosed: number;
  placed: number;
  [figure: string]: unknown;
}

export interface Count {
  value: string;
  count: number;
  text?: string; // what to call the value where that isn't the value itself
}

/** What the server last said of the selection; null before it has. */
export interface Shown {
  summary: Summary | null;
  page: Page | null;
  clusters: Cluster[] | null;
  facets: Record<string, Count[]> | null;
  card: Card | null; // of the failure that is open
  place: number | null; // of that failure among the selected ones; null where it isn't on the page of the grid
  enclosed: number | null; // failures inside the lasso
  running: { stage: string; done: number; total: number; seconds_left: number | null }[]; // jobs that bring something for this page
}
