// Types of the Review page's nouns, for `tsc --checkJs` alone: nothing of this is served.

export type Status = "pending" | "failed" | "approved" | "auto_approved" | "rejected" | "disputed" | "unfiltered" | "undrawn";
export type Action = "approve" | "reject" | "reset";

export interface Text {
  question: string;
  choices: string[];
  answer: string;
}

export interface Verdict {
  filter: string;
  score: number | null;
  passes: boolean | null;
  reason: string | null;
  error: string | null;
  [fact: string]: unknown;
}

/** A decision, an edit, or the undoing of one. */
export interface Event {
  action: Action | "edit" | "undo";
  reviewer: string | null;
  revision: number;
  created_at: string;
  undone: boolean;
  [fact: string]: unknown;
}

/** What a picture is rendered from (data/picture_specs). */
export interface PictureSpec {
  kind: "vega-lite" | "table" | "document" | "diagram" | "bars";
  title: string;
  columns: string[];
  rows: (string | number)[][];
  vega_lite: string;
}

/** A sample with all that is known of it (api/review/card). */
export interface Card extends Text {
  sample_id: number;
  revision: number;
  status: Status;
  status_without_people: Status; // what it would be had nobody decided it
  image: string | null;
  width: number | null;
  height: number | null;
  failure_id: number | null;
  picture_spec: PictureSpec | null;
  answer_from: Record<string, any> | null; // how the answer follows from the spec's data
  computed: { answer: string | null; agrees: boolean; problem: string | null } | null; // hidden while blind
  blind: boolean;
  disputed: boolean;
  verdicts: Verdict[];
  events: Event[];
  key: number | null; // its place in the order of the queue
  guest?: boolean; // shown beside the queue
  mine?: boolean; // decided by this reviewer just now
  again?: boolean; // changed while it was decided: to be looked at again
  [fact: string]: unknown;
}

/** A sample in the grid (api/review/page). */
export interface Row extends Text {
  sample_id: number;
  status: Status;
  error_type: string;
  image: string | null;
  failing: string[];
}

/** What a queue holds, as the API takes it. */
export interface Queued {
  matching: Record<string, unknown>;
  order: string;
}

/** What a reviewer did and may take back. */
export interface Done {
  event_id: string;
  action: string;
  samples: number;
  sample_id?: number;
  batch_id?: number | null;
  reason?: string | null;
  note?: string | null;
  was?: Status | null; // the status before a decision
  before?: Text; // the text before an edit
  undone?: boolean;
  told?: () => void; // takes the toast away that offers to undo it
}

/** A decision (or an edit, or an undoing) on its way to the store. */
export interface Item {
  path: string; // a route under api/review
  body: { event_id: string; sample_id?: number; [field: string]: unknown };
  key: string; // in localStorage
  sampleId?: number | null; // of an undoing: the sample that it is about
  undoing?: Done;
}

export interface Count {
  value: string;
  count: number;
}

export interface Mode {
  shown: "focus" | "grid" | "people" | null; // what the page has loaded and shows: the URL says what it is to show
  busy: boolean; // keys have to wait for a sample
  rejecting: boolean; // a reason is asked for
  beside: boolean; // the failure's picture stands beside the sample's
  editing: Card | null; // whose text is being edited
  noting: number | null; // the sample whose note is being written
}
