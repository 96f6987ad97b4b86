import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { configYaml, makeDocuments, oneJsonValue, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;

beforeAll(async () => {
  model = await HttpModel.start();
});
beforeEach(() => model.reset());
afterAll(async () => model[Symbol.asyncDispose]());

interface ModelFigures {
  readonly model: string;
  readonly provider: string | null;
  readonly calls: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly tokensPerSecond: number;
}

describe('what can be seen of a batch', () => {
  it('has the times of its calls by model and provider, in status and in the manifest', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url }),
      'docs.jsonl': toJsonl(makeDocuments(20)),
    });
    await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '--id', 'night', '-o', 'out']);
    const status = await workspace.run(['status', 'night', '--json']);
    const { models } = oneJsonValue<{ models: readonly ModelFigures[] }>(status.stdout);
    expect(models).toMatchObject([{ model: 'small', provider: 'acme', calls: 20 }]);
    const [figures] = models as [ModelFigures];
    expect(figures.p50Ms).toBeGreaterThan(0);
    expect(figures.p95Ms).toBeGreaterThanOrEqual(figures.p50Ms);
    expect(figures.tokensPerSecond).toBeGreaterThan(0);
    const { manifest } = await workspace.readOutput('out');
    const { cost } = manifest as unknown as { cost: { byModel: readonly { latency: ModelFigures }[] } };
    expect(cost.byModel[0]?.latency).toMatchObject({ calls: 20, p50Ms: figures.p50Ms, p95Ms: figures.p95Ms });
    expect((await workspace.run(['status', 'night'])).stdout).toMatch(/speed {6}small at acme: p50 .* over 20 calls/);
  });
});
