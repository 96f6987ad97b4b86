import { describeLessons, LESSON_DAYS, type Lessons } from '../providers/lesson-book.ts';
import type { Check } from './check.ts';

/** A line for each model that has refused what the config says of it. Pure. */
export function checkLessons(
  provider: string,
  learned: ReadonlyMap<string, Lessons>,
  configured: ReadonlySet<string>,
): readonly Check[] {
  return [...learned]
    .filter(([id]) => configured.has(id))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([id, lessons]) => {
      const settings = Object.entries(lessons).map(([name, value]) => `${name}: ${value}`);
      const kept = `known to all workers for ${LESSON_DAYS} days; where all its models are so, say it in providers.${provider}: { ${settings.join(', ')} }`;
      return {
        name: `provider ${provider}`,
        state: 'ok',
        detail: `${id} is asked with ${describeLessons(lessons)} since it refused the rest (${kept})`,
      };
    });
}
