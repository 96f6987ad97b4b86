import { modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';

interface ListedProvider {
  readonly name: string;
}

/**
 * A line for each model of a workflow that its provider does not list: the batch would pause at its first calls. A
 * provider that cannot be asked, or has no list, says nothing here.
 *
 * @param probe asks for the model list, which costs nothing
 */
export async function describeUnlisted<Provider extends ListedProvider>(
  { cascade }: Pick<WorkflowSpec, 'cascade'>,
  providers: ReadonlyMap<string, Provider>,
  probe: (provider: Provider) => Promise<{ readonly models?: readonly string[] }>,
): Promise<readonly string[]> {
  const models = cascade.flatMap(modelsOfTier);
  const asked = [...new Set(models.map(({ provider }) => provider))].flatMap((name) => providers.get(name) ?? []);
  const lines = await Promise.all(
    asked.map(async (provider) => {
      const listed = await probe(provider).then(
        (answer) => answer.models,
        () => undefined,
      );
      if (listed === undefined) return [];
      const own = models.filter((model) => model.provider === provider.name && !listed.includes(model.id));
      return own.map(
        ({ name, id }) =>
          `provider ${provider.name} does not list ${JSON.stringify(id)}${nearest(id, listed)}; if it does not take it, the batch pauses at its first call. Check models.${name}.id.`,
      );
    }),
  );
  return [...new Set(lines.flat())];
}

/** Ids that look most like it: with the longest beginning in common. */
function nearest(id: string, listed: readonly string[]): string {
  const alike = listed
    .map((other) => ({ other, length: commonLength(id, other) }))
    .filter(({ length }) => length >= 3)
    .sort((a, b) => b.length - a.length)
    .slice(0, 3)
    .map(({ other }) => other);
  return alike.length === 0 ? '' : ` but ${alike.join(', ')}`;
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
