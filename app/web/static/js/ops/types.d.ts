/** Shapes of the operators' page; read by the type checker only, never sent to a browser. */

export interface Mailbox {
  length: number;
  capacity: number;
  policy: string | null;
  /** Seconds that the oldest message has waited. */
  oldestSeconds: number | null;
}

export interface Failure {
  message: string;
  at: string | null;
  traceId: string | null;
  stack: string | null;
}

export interface LastExit {
  reason: string;
  at: string | null;
  error: string | null;
}

export interface Breaker {
  name: string;
  state: "closed" | "half_open" | "open";
  retryAt: string | null;
}

/** What `GET /api/ops/actors` says about one supervisor or worker, with nothing left out. */
export interface Actor {
  /** Ids from below the root to here: `events/audit`; `root` for the root. */
  path: string;
  id: string;
  kind: "supervisor" | "worker";
  level: number;
  /** Path of its supervisor; empty for the root. */
  parent: string;
  children: string[];
  state: string;
  incarnation: number;
  startedAt: string | null;
  restarts: number;
  restart: string | null;
  lastExit: LastExit | null;
  attempt: number;
  backoffSeconds: number | null;
  nextAttemptAt: string | null;
  mailbox: Mailbox | null;
  inHandSeconds: number | null;
  messagesPerSecond: number | null;
  handled: number | null;
  lastError: Failure | null;
  controllable: boolean;
  breaker: Breaker | null;
  /** Supervisors only. */
  strategy: string | null;
  intensity: number | null;
  periodSeconds: number | null;
  restartsInPeriod: number;
}

/** Something that happened between two looks. */
export interface Happening {
  kind: "crashed" | "restarted" | "stuck" | "paused" | "resumed" | "gone" | "added" | "away" | "back" | "reborn" | "asked";
  /** Epoch milliseconds of this browser. */
  at: number;
  path?: string;
  name?: string;
  detail?: string;
  n?: number;
}

export interface Health {
  status: string;
  version: string;
  uptimeSeconds: number;
  /** Event-loop lag, where the server says it. */
  loopLagSeconds?: number | null;
  checks: Record<string, { ok: boolean; reason: string | null }>;
}

export interface LogLine {
  at: string;
  level: string;
  message: string;
  event: string;
  component: string;
  fields: Record<string, unknown>;
}

export interface DeadLetter {
  id: string;
  actor: string;
  reason: string;
  position: number | null;
  payload: unknown;
  error: string | null;
  stack: string | null;
  traceId: string | null;
  attempts: number | null;
  at: string;
  requeuedAt: string | null;
}
