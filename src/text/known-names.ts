const MAX_SHOWN = 12;

/** The end of a message about a name that is not there: what could have been meant. */
export function knownNames(names: readonly string[]): string {
  if (names.length === 0) return 'none is configured';
  const shown = names.slice(0, MAX_SHOWN).join(', ');
  return `known: ${shown}${names.length > MAX_SHOWN ? ', …' : ''}`;
}
