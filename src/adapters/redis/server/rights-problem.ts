import { NightmillError } from '../../../errors.ts';

/**
 * What to tell of a command, key or channel that the Redis user may not use; undefined for any other error. Inside a
 * script the server words it differently.
 */
export function rightsProblem(error: Error): NightmillError | undefined {
  const { message } = error;
  if (!/^NOPERM\b|ACL failure in script|has no permissions|can't run this command/i.test(message)) return undefined;
  const what = message.replace(/^NOPERM\s*/, '').replace(/\.?\s*$/, '');
  return new NightmillError(
    'redis_unsuitable',
    `Redis refuses this user a right: ${what}. docs/operation.md has the ACL line with all that nightmill needs.`,
    { cause: error },
  );
}
