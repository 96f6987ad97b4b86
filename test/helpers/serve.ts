import type { Cli } from './cli.ts';
import type { Workspace } from './workspace.ts';

/** `nightmill serve` in a folder, once it listens. */
export async function startServe(
  workspace: Workspace,
  ...args: string[]
): Promise<{ readonly cli: Cli; readonly url: string }> {
  const cli = workspace.start(['serve', '--port', '0', ...args]);
  await cli.prints(/serving on http\S+/);
  const url = /serving on (http[^\s,"]+)/.exec(cli.stderr)?.[1] ?? '';
  return { cli, url: url.replace('0.0.0.0', '127.0.0.1') };
}
