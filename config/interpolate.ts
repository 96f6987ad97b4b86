export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that the environment does not have, and where the config names it. */
export interface MissingVariable {
  readonly path: string;
  readonly name: string;
}

/** A secret that only a call to its provider or webhook needs. */
export function isCallSecret({ path }: MissingVariable): boolean {
  return /^(providers\.[^.]+\.(apiKey|headers\..+)|alerts\.webhooks\..+)$/.test(path);
}

export function describeMissing({ path, name }: MissingVariable): string {
  return `${path}: the environment has no ${name}; set it, or write \${${name}:-default}`;
}

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every text of a parsed config, only from the environment. Works on
 * values after the YAML was parsed, so that what a variable holds can never change the structure of the file.
 *
 * @param onMissing told of each variable that is not set and has no default; it stays empty
 */
export function interpolate(
  value: unknown,
  env: Environment,
  onMissing: (missing: MissingVariable) => void,
  path = '',
): unknown {
  if (typeof value === 'string') {
    return value.replace(REFERENCE, (_, name: string, fallback: string | undefined) => {
      const found = env[name];
      if (found !== undefined && found !== '') return found;
      if (fallback === undefined) onMissing({ path, name });
      return fallback ?? '';
    });
  }
  if (Array.isArray(value))
    return value.map((entry, index) => interpolate(entry, env, onMissing, join(path, String(index))));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, interpolate(entry, env, onMissing, join(path, key))]),
    );
  }
  return value;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
