import type { Config } from '../../config/config.ts';
import { readEnvironment } from '../../config/environment.ts';
import { loadConfig, loadConfigValue } from '../../config/load.ts';
import { secretsOf } from '../../config/secrets.ts';
import { createLog, type LogLevel } from '../adapters/pino/pino-log.ts';
import { openApp } from '../app.ts';
import { Mill } from './mill.ts';

export interface ConnectOptions {
  /**
   * A file, or what would stand in one. Default: `NIGHTMILL_CONFIG`, else `nightmill.yaml` in `cwd`, else the embedded
   * defaults.
   */
  readonly config?: string | Readonly<Record<string, unknown>>;
  /** Relative paths start here, and `.nightmill` stands here. Default: the process's working folder. */
  readonly cwd?: string;
  /** What `${NAME}` in the config stands for. Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** JSON lines on standard error. Default `warn`. */
  readonly logLevel?: LogLevel;
  /** One line when something takes longer, such as the first start of the embedded server. Default: standard error. */
  readonly announce?: (line: string) => void;
  /** Work in this process as soon as there is something to do. Default: only with the embedded server. */
  readonly work?: boolean;
  /** Whose changes these are, in `nightmill audit`. Default `library`. */
  readonly actor?: string;
  readonly signal?: AbortSignal;
}

/**
 * Connects to a cluster, or starts the embedded server where the config names none.
 *
 * @throws {NightmillError} `config_invalid`, `redis_unavailable`, `redis_unsuitable`, `store_unavailable`, `store_denied`
 */
export async function connect(options: ConnectOptions = {}): Promise<Mill> {
  const config = readConfig(options);
  const app = await openApp({
    config,
    log: createLog(options.logLevel ?? 'warn', secretsOf(config)),
    announce: options.announce ?? ((line) => process.stderr.write(`nightmill: ${line}\n`)),
    searchPath: readEnvironment().searchPath,
    actor: options.actor ?? 'library',
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return new Mill(app, options.work ?? config.redis === undefined);
}

function readConfig({ config, cwd = process.cwd(), env = readEnvironment().all }: ConnectOptions): Config {
  // Keys are asked for by what makes calls: a producer needs none.
  const options = { env, cwd, missingSecrets: 'leave' } as const;
  return typeof config === 'object' ? loadConfigValue(config, options) : loadConfig({ ...options, file: config });
}
