import type { ErrorCode } from '../../errors.ts';
import type { Extract, LocalAnswer, LocalClassifierSpec, LocalModel } from '../../local-model/local-model.ts';

/** What the thread is started with. */
export interface ThreadOptions {
  readonly kind: LocalModel['kind'];
}

/** What the program asks of the thread. */
export type ThreadRequest =
  | {
      readonly kind: 'classify';
      readonly id: number;
      /** Equal specs have equal keys. */
      readonly specKey: string;
      /** Left out where the thread should know it already. */
      readonly spec?: LocalClassifierSpec;
      readonly texts: readonly string[];
    }
  | { readonly kind: 'extract'; readonly id: number; readonly text: string; readonly maxWords: number }
  /** The answer to `id` is no longer wanted. It is still sent, as an error. */
  | { readonly kind: 'cancel'; readonly id: number };

/** What the thread answers, once for each request but `cancel`. */
export type ThreadReply =
  | { readonly kind: 'answers'; readonly id: number; readonly answers: readonly LocalAnswer[] }
  | { readonly kind: 'extract'; readonly id: number; readonly extract: Extract }
  /** The spec of this key is not known (any more): ask again with it. */
  | { readonly kind: 'unknown-spec'; readonly id: number }
  | { readonly kind: 'error'; readonly id: number; readonly code: ErrorCode; readonly message: string };
