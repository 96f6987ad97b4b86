import type { Config } from '../../config/config.ts';
import { MODEL_WORKFLOW, namedModels } from '../workflows/model-workflow.ts';

/** Every queue that workers of this config take slices from, unless they are told which. */
export function queuesOf(config: Config): readonly string[] {
  const isOpen = config.workflows.size > 0 && namedModels(config.models).length > 0;
  return [...new Set([...config.workflows.keys(), ...config.builtIns.keys(), ...(isOpen ? [MODEL_WORKFLOW] : [])])];
}
