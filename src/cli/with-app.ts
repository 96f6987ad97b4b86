import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { readEnvironment } from '../../config/environment.ts';
import { loadConfig } from '../../config/load.ts';
import { secretsOf } from '../../config/secrets.ts';
import { createLog, type LogLevel } from '../adapters/pino/pino-log.ts';
import { type App, openApp } from '../app.ts';
import { NightmillError } from '../errors.ts';
import type { Meter } from '../measures/meter.ts';
import type { Log } from '../runtime/log.ts';
import { humanLine } from './human-log.ts';
import { screen } from './screen.ts';

export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly logLevel?: string;
  /** Neither progress nor remarks; results, warnings and errors stay. */
  readonly quiet?: boolean;
}

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Program-wide options, given before or after the command's name. */
export function globalOptions(command: Command): GlobalOptions {
  return command.optsWithGlobals() as GlobalOptions;
}

/** @param missingSecrets `refuse` for what calls providers; everything else works without their keys */
export function readConfig(options: GlobalOptions, missingSecrets: 'refuse' | 'leave' = 'leave'): Config {
  return loadConfig({ file: options.config, env: readEnvironment().all, cwd: process.cwd(), missingSecrets });
}

/** @param fallback the command's own level: a worker logs its slices, a command only warnings */
export function openLog(options: GlobalOptions, config: Config, fallback: LogLevel): Log {
  const level = options.logLevel ?? (readEnvironment().logLevel || fallback);
  if (!LOG_LEVELS.includes(level)) {
    throw new NightmillError(
      'usage',
      `Cannot log at level ${JSON.stringify(level)}: use one of ${LOG_LEVELS.join(', ')}.`,
    );
  }
  const write = (line: string) => screen.line(screen.isTerminal ? humanLine(line) : line.trimEnd());
  return createLog(level as LogLevel, secretsOf(config), write);
}

/** Takes remarks for whoever waits at the screen: lines on standard error, none with `--quiet`. */
export function announcer({ quiet }: GlobalOptions): (line: string) => void {
  return quiet === true ? () => {} : (line) => screen.line(`nightmill: ${line}`);
}

/** The same for a process whose standard error is a stream of JSON lines: there, remarks are events too. */
export function serviceAnnouncer(options: GlobalOptions, log: Log): (line: string) => void {
  return screen.isTerminal ? announcer(options) : (line) => log.info('program:note', { message: line });
}

export interface AppUse {
  /** `command`: only warnings are logged. `service`: it lives long, and its standard error is a stream of JSON lines. Default: command. */
  readonly as?: 'command' | 'service';
  /** `refuse` for what calls providers. Default: leave. */
  readonly missingSecrets?: 'refuse' | 'leave';
  /** Told of what this process does. */
  readonly meter?: Meter;
}

/** Runs a command with everything opened, and closes it whatever happens. */
export async function withApp<T>(
  command: Command,
  work: (app: App, options: GlobalOptions, announce: (line: string) => void) => Promise<T>,
  { as = 'command', missingSecrets = 'leave', meter }: AppUse = {},
): Promise<T> {
  const options = globalOptions(command);
  const config = readConfig(options, missingSecrets);
  const log = openLog(options, config, as === 'service' ? 'info' : 'warn');
  const announce = as === 'service' ? serviceAnnouncer(options, log) : announcer(options);
  await using app = await openApp({
    config,
    log,
    announce,
    searchPath: readEnvironment().searchPath,
    actor: `${userName()}@${hostname()}`,
    ...(meter === undefined ? {} : { meter }),
  });
  return await work(app, options, announce);
}

/** A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** Whether the bar and its plain lines stay away. */
export function hidesProgress({ json, quiet }: GlobalOptions): boolean {
  return json === true || quiet === true;
}

/** The one JSON value of `--json`, or lines for people. */
export function print(options: GlobalOptions, value: unknown, lines: () => string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value)}\n` : lines());
}
