import type { Config } from '../../../config/config.ts';
import { taskOf } from '../../tasks/tasks.ts';
import { namedModels } from '../../workflows/model-workflow.ts';
import type { LineRules } from './input-lines.ts';

/** What `model` may name: every workflow, then every model of the config that no workflow has the name of. */
export function servedModels({
  workflows,
  builtIns,
  models,
}: Pick<Config, 'workflows' | 'builtIns' | 'models'>): LineRules['models'] {
  const named = new Map([...workflows, ...builtIns]);
  return new Map([
    ...[...named].map(([name, { spec }]) => [name, taskOf(spec).sendsAsIs === true ? 'request' : 'text'] as const),
    ...namedModels(models).flatMap((name) => (named.has(name) ? [] : [[name, 'request'] as const])),
  ]);
}
