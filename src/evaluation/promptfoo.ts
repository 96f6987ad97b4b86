import type { Evaluation } from './evaluation.ts';

/** The run in the shape of promptfoo's output file (version 3), for reports and dashboards that read it. */
export function promptfooOutput(evaluation: Evaluation): object {
  const results = evaluation.items.map((item) => {
    const score = Object.values(item.scores)[0] ?? item.valid;
    const success = item.valid === 1 && score === 1;
    return {
      vars: { id: item.id, ...(item.expected === undefined ? {} : { expected: item.expected }) },
      response: { output: item.got ?? null },
      success,
      score,
      namedScores: item.scores,
      latencyMs: item.durationMs ?? 0,
      cost: item.costUsd,
      ...(item.error === undefined ? {} : { error: item.error }),
    };
  });
  const successes = results.filter(({ success }) => success).length;
  return {
    evalId: evaluation.run,
    results: {
      version: 3,
      timestamp: evaluation.evaluatedAt,
      results,
      stats: {
        successes,
        failures: results.filter(({ success, error }) => !success && error === undefined).length,
        errors: results.filter(({ error }) => error !== undefined).length,
      },
    },
    config: { description: `nightmill eval ${evaluation.workflow}`, hashes: evaluation.hashes },
  };
}
