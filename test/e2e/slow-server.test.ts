import { expect, it } from 'vitest';
import { startTestSimulator } from '../helpers/simulator.ts';
import { expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

/** A self-hosted server that works on one call at a time, and a time limit of sixteen such calls. */
const CALL_MS = 60;
const CONFIG = (url: string) => `
providers: { home: { kind: openai, baseUrl: "${url}", timeoutSeconds: ${(16 * CALL_MS) / 1000} } }
models: { small: { provider: home, id: one-slot, price: { inputPerMillion: 0.15, outputPerMillion: 0.6 } } }
workflows: { triage: { task: classify, labels: [billing, bug, other], cascade: [{ model: small }] } }
`;

it.each([24, 100])(
  'a healthy server with one slot answers %i documents: none is cut off, none is uncertain',
  async (count) => {
    await using simulator = await startTestSimulator({
      models: {
        'one-slot': {
          price: { inputPerMillion: 0.15, outputPerMillion: 0.6 },
          latency: { p50Ms: CALL_MS, p95Ms: CALL_MS },
          contextTokens: 32_768,
          slots: 1,
          accuracy: 1,
        },
      },
    });
    const documents = makeDocuments(count);
    await using workspace = await Workspace.make({
      'nightmill.yaml': CONFIG(simulator.url),
      'docs.jsonl': toJsonl(documents),
    });
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    expect(output.manifest.cost.uncertain.calls).toBe(0);
    expect(output.manifest.breaker).toEqual([]);
    expect(simulator.totals().replies).toEqual({ 200: count });
  },
);
