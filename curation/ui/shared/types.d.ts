// Types of what the browser code hands around, for `tsc --checkJs` alone: nothing of this is served.

export type Child = Node | string | number | boolean | null | undefined | readonly Child[];
export type Attributes = Record<string, unknown>;

type ElementNamed<N> = N extends keyof HTMLElementTagNameMap
  ? HTMLElementTagNameMap[N]
  : N extends keyof SVGElementTagNameMap
    ? SVGElementTagNameMap[N]
    : HTMLElement;
/** The element that h("input.in.short") makes: classes follow the tag's name behind dots. */
export type Made<T extends string> = T extends `${infer N}.${string}` ? ElementNamed<N> : ElementNamed<T>;

export interface Page {
  name: string;
  title: string;
  group: string;
  folder: string; // of curation/ui
}

/** A value in the URL; null, undefined, "" and false take it away. */
export type UrlValue = string | number | boolean | null | undefined;
export type UrlChanges = Record<string, UrlValue | UrlValue[]>;

export interface ErrorType {
  name: string;
  definition: string;
  example: string;
  colour: string;
  hidden?: boolean;
}

export interface Button {
  text: string;
  kind?: string;
  key?: string;
  run?: () => unknown; // false, or a promise of it, keeps a dialog open
}

export interface Shortcut {
  name: string;
  key: string;
  what: string | null; // null: not listed
  run: (event: KeyboardEvent) => unknown;
  repeat?: boolean;
}

export interface Progress {
  done: number;
  total: number;
  eta_s: number | null;
}

export interface Job {
  job_id: number;
  stage: string;
  title?: string;
  status: string;
  done: number;
  total: number;
  failed: number;
  progress: Progress | null;
}

/** What follows a job by itself; it has no job_id and no status before it is launched. */
export interface Step extends Omit<Job, "job_id" | "status"> {
  job_id: number | null;
  status: string | null;
  note: string | null;
}

export interface JobWithChain {
  job: Job;
  chain: Step[];
}

/** What the poll brings. */
export interface Workspace {
  running: Job[];
  counts: Record<string, number>;
  ended: number | null;
}

/** Dollars from and to; null where no price is known. */
export type UsdRange = [number, number] | null;

/** What one filter would take. */
export interface FilterCost {
  filter: string;
  title: string;
  asks: "frontier" | "baseline" | null;
  samples: number;
  outdated: number;
  calls: number;
  usd: UsdRange;
  seconds: number | null;
}

export interface Estimate {
  rows: number;
  calls: number;
  usd: UsdRange;
  seconds: number | null;
  billed: boolean;
  host: string | null;
  detail: {
    filters?: FilterCost[];
    failures?: number;
    rendered?: number; // images of draw that cost nothing
    without_picture?: number; // samples that an export leaves out
    folder?: string; // that an export writes to
  } | null;
}

export interface Field {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  step?: number;
  widget?: string;
  optional?: boolean;
  items?: Field;
  anyOf?: Field[];
  allOf?: Field[];
  $ref?: string;
}

/** A JSON schema as pydantic writes it. */
export interface Schema {
  properties?: Record<string, Field>;
  $defs?: Record<string, Field>;
}

export type Values = Record<string, unknown>;

export interface Stage {
  name: string;
  title: string;
  options: Schema;
  defaults: Values;
  sends: boolean;
}

export interface Endpoint {
  name: string;
  endpoint: string;
  model: string;
  host: string | null;
  api_key_env: string;
  key_there: boolean;
}

/** What Generate and Finetune show of a plan. */
export interface PlanView {
  plan: unknown;
  problem: string | null;
  busy: boolean;
}

/** What curation/ui/shared/chart_theme.py makes: a figure as plotly.js reads it. */
export interface Figure {
  data: Record<string, any>[];
  layout: Record<string, any> & { height: number; meta: { label: string; file: string } };
}
