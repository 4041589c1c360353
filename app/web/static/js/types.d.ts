/** Shapes shared by all modules; read by the type checker only, never sent to a browser. */

export type Priority = "low" | "medium" | "high" | "urgent";

export interface Recurrence {
  rule: string;
  mode: "schedule" | "afterCompletion";
  missed: "skip" | "keep";
}

export interface Reminder {
  id: string;
  remindAt: string | null;
  before: string | null;
  channels: string[];
  /** Said by the list of reminders only. */
  state?: string;
  fireAt?: string | null;
  snoozedUntil?: string | null;
}

/** One attempt to deliver a reminder. */
export interface Delivery {
  channel: string;
  state: string;
  outcome: string | null;
  at: string | null;
  address?: string;
  response: string;
}

export interface Task {
  id: string;
  title: string;
  description: string;
  completed: boolean;
  completedAt: string | null;
  priority: Priority;
  tags: string[];
  dueDate: string | null;
  timeZone: string | null;
  recurrence: Recurrence | null;
  reminders: Reminder[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** What may be written with POST and PATCH. */
export type TaskFields = Partial<
  Pick<Task, "title" | "description" | "priority" | "tags" | "dueDate" | "timeZone" | "recurrence">
>;

export interface User {
  id: string;
  email: string;
  name: string | null;
  timeZone: string;
  weekStart?: string;
  quietHours?: { from: string; to: string } | null;
  /** May look into the engine room, `/ops`. */
  operator?: boolean;
}

export interface Actor {
  id?: string;
  name?: string;
}

/** One message of the event stream. */
export interface Frame {
  type: string;
  position: number;
  taskId?: string;
  task?: Task | null;
  actor?: Actor | string | null;
  requestId?: string | null;
  /** The reminder, when that is what it is about. */
  reminder?: Reminder | null;
  /** The account, when that is what changed. */
  user?: User | null;
}

export interface AuditEntry {
  position: number;
  action: string;
  taskId: string;
  actor: Actor | string | null;
  at: string;
  changes: Record<string, [unknown, unknown]>;
}

export type OpKind = "create" | "patch" | "complete" | "reopen" | "delete" | "remind" | "unremind" | "acknowledge" | "snooze";

/** A change made here that the server has not confirmed yet. */
export interface Op {
  /** Idempotency key and request id: the live event carries it back. */
  key: string;
  kind: OpKind;
  /** Task id; `local-…` until the server has given one. */
  id: string;
  /** Order among the waiting changes. */
  at: number;
  body?: Record<string, any>;
  /** Field values this change was made on top of, and their version. */
  before?: Record<string, any>;
  version?: number;
  /** How often more was added to it before it was sent. */
  edition?: number;
  /** Epoch milliseconds before which it is not sent (room for undo). */
  notBefore?: number;
  /** The server's newer task, when both sides changed the same field. */
  conflict?: Task;
}

export interface Problem {
  status: number;
  code?: string;
  title?: string;
  detail?: string;
  retryAfter?: number;
  errors?: { field: string; code: string; message: string }[];
}

export type Connection = "connecting" | "live" | "reconnecting" | "offline";

export interface Place {
  name: "inbox" | "today" | "upcoming" | "completed" | "tag" | "search" | "settings" | "missing";
  tag?: string;
}

/** Filters and order, as written in the address. */
export interface Lens {
  priority: Priority[];
  tags: string[];
  /** Empty means what the place is there for. */
  completed: "" | "true" | "false";
  /** Days, or empty. */
  dueAfter: string;
  dueBefore: string;
  q: string;
  sort: "" | "createdAt" | "dueDate" | "priority" | "title";
  order: "" | "asc" | "desc";
}

export interface Group {
  key: string;
  heading: string;
  tone?: "late";
  /** What a task becomes that is dropped here, like `due:2026-11-23` or `priority:high`. */
  drop?: string;
  tasks: Task[];
}
