import type { z } from 'zod';

/** The settings of one task in a workflow of the config file. */
export interface TaskOptions<Resolved> {
  /** Their schema by name. A name that several tasks have has the same schema in each. */
  readonly shape: Readonly<Record<string, z.ZodType>>;
  /**
   * The settings as a batch uses them, from what `shape` has parsed.
   *
   * @returns undefined where a problem leaves no workflow
   */
  resolve(raw: never, context: OptionsContext): Resolved | undefined;
}

export interface OptionsContext {
  /** Path of the workflow in the config, for problems. */
  readonly at: string;
  /** Sentences that begin with the path of a setting. */
  readonly problems: string[];
  /** A file named relative to the config's folder, with its full path; undefined: it cannot be read, which is a problem. */
  readonly readText: (file: string, at: string) => { readonly path: string; readonly text: string } | undefined;
}
