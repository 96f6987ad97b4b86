export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every text of a parsed config, only from the environment. Works on
 * values after the YAML was parsed, so that what a variable holds can never change the structure of the file.
 *
 * @param problems gets one line, with its path, for each variable that is not set and has no default
 */
export function interpolate(value: unknown, env: Environment, problems: string[], path = ''): unknown {
  if (typeof value === 'string') {
    return value.replace(REFERENCE, (_, name: string, fallback: string | undefined) => {
      const found = env[name];
      if (found !== undefined && found !== '') return found;
      if (fallback === undefined)
        problems.push(`${path}: the environment has no ${name}; set it, or write \${${name}:-default}`);
      return fallback ?? '';
    });
  }
  if (Array.isArray(value))
    return value.map((entry, index) => interpolate(entry, env, problems, join(path, String(index))));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, interpolate(entry, env, problems, join(path, key))]),
    );
  }
  return value;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
