export interface EmbeddedRedisOptions {
  /** Absolute; the data go into its subfolder `redis`. Created where absent, e.g. `/srv/jobs/.nightmill`. */
  readonly folder: string;
  /** Where to look for `redis-server` and `valkey-server`, see `redisSearchFolders`. */
  readonly searchFolders: readonly string[];
  /** Whether a missing server may be installed: only ever done as root on Debian and Ubuntu. */
  readonly allowInstall: boolean;
  /** Takes one line for the user when something takes longer than usual. */
  readonly announce: (line: string) => void;
  /** Ends the wait, not the server. */
  readonly signal?: AbortSignal;
}
