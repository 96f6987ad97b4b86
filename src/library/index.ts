/** What `import … from 'nightmill'` gives. The command line and the server do the same things through `operations/`. */
export { type ErrorCode, NightmillError } from '../errors.ts';
export type { Batch, ReadRowsOptions, RetryOptions, Status, WatchOptions } from './batch.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { DocumentsInput } from './documents-stream.ts';
export type { Budgets, BudgetView, Mill, PlanOptions, SubmitOptions, Worker } from './mill.ts';
export type { BatchManifest, ErrorRow, ResultRow, RowUsage } from './rows.ts';
