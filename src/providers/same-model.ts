/** Ends of names that say which service or state of a model is meant, not which model. */
const SERVICE = /:(?:latest|free|nitro|floor|online|extended|beta)$/;
const SNAPSHOT = /[-@](?:20\d{2}-?\d{2}-?\d{2}|\d{2}-\d{2}(?:-\d{4})?|\d{3,4}|latest|v\d+(?::\d+)?)$/;

/**
 * Whether the model that answered is the one that was asked: the same name in other case, with its host's or its owner's name
 * before it, or with a pinned snapshot where the other has none. Two different snapshots are two models.
 */
export function isSameModel(asked: string, answered: string): boolean {
  if (asked === answered) return true;
  const [a, b] = [bareName(asked), bareName(answered)];
  if (a.name !== b.name) return false;
  return a.snapshot === '' || b.snapshot === '' || a.snapshot === b.snapshot;
}

function bareName(id: string): { readonly name: string; readonly snapshot: string } {
  const own = (id.toLowerCase().split('/').at(-1) ?? '').replace(/\.gguf$/, '').replace(SERVICE, '');
  const [end = ''] = SNAPSHOT.exec(own) ?? [];
  const name = own.slice(0, own.length - end.length);
  return { name, snapshot: end.replace(/\D/g, '') };
}
