/** One guarded line of the program, broken on purpose. */
export interface Mutation {
  /** What goes wrong without the line. */
  readonly name: string;
  /** Below `src/`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly line: string;
  readonly broken: string;
  /** Who must notice. */
  readonly judge: TestsJudge | ChaosJudge;
}

/** Test files below `test/`, of which at least one test must fail. */
export interface TestsJudge {
  readonly tests: readonly string[];
}

/** A small scenario of `npm run chaos` that the whole program passes and the broken one must not. */
export interface ChaosJudge {
  readonly seed: number;
  /** As `--faults` names them. */
  readonly faults: string;
}
