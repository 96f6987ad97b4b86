import type { AnswerTable } from './answer-table.ts';
import type { Metric } from './calibration.ts';
import { meanCosts, type Records } from './records.ts';

/** Position of the dearest model: the one that answers are compared with. */
export function dearestModel(records: Records): number {
  const costs = meanCosts(records);
  return costs.reduce((best, cost, model) => (cost >= (costs[best] ?? 0) ? model : best), 0);
}

/** Recorded answers as a calibration reads them; for `agreement` right is what the dearest model says too. */
export function tableOf(records: Records, metric: Metric): AnswerTable {
  const { models, answers } = records;
  const strong = dearestModel(records);
  const assumed = meanCosts(records);
  const isRight = (row: Records['answers'][number], model: number) =>
    metric === 'agreement' ? row[model]?.prediction === row[strong]?.prediction : row[model]?.correct === true;
  return {
    models,
    items: answers.length,
    right: models.map((_, model) => Uint8Array.from(answers, (row) => Number(isRight(row, model)))),
    confidence: models.map((_, model) => Float64Array.from(answers, (row) => row[model]?.confidence ?? Number.NaN)),
    cost: models.map((_, model) => Float64Array.from(answers, (row) => row[model]?.cost ?? assumed[model] ?? 0)),
  };
}
