import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChaosJudge, TestsJudge } from './mutation.ts';

/** @returns full names of the tests that failed in the tree in `folder` */
export function failedTests(root: string, folder: string, { tests }: TestsJudge): readonly string[] {
  const output = join(folder, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const files = tests.map((name) => `test/${name}`);
  const { error } = spawnSync(
    process.execPath,
    [vitest, 'run', '--reporter=json', `--outputFile=${output}`, '--root', folder, ...files],
    { cwd: folder, stdio: 'ignore' },
  );
  if (error !== undefined) throw error;
  const report = JSON.parse(readFileSync(output, 'utf8')) as {
    readonly numTotalTests: number;
    readonly testResults: readonly {
      readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
    }[];
  };
  if (report.numTotalTests === 0) throw new Error(`No test ran of ${files.join(', ')}`);
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  return results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
}

/** @returns what the chaos suite says is wrong with the tree in `folder` */
export async function chaosProblems(folder: string, { seed, faults }: ChaosJudge): Promise<readonly string[]> {
  const scenario = ['--seed', String(seed), '--seeds', '1', '--small', '--faults', faults];
  const { error, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'test/chaos/main.ts'), ...scenario], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  const [told = '', ...lines] = stdout.split('\n');
  if (/^seed +\d+ {2}ok /.test(told)) return [];
  // Anything else is no judgement: the program may not even load.
  if (!/^seed +\d+ {2}FAILED/.test(told)) throw new Error(`The chaos suite told nothing: ${stdout}${stderr}`);
  const kept = lines.map((line) => /kept: (.+)$/.exec(line)?.[1]).find((path) => path !== undefined);
  if (kept !== undefined) await rm(kept, { recursive: true, force: true });
  return lines
    .slice(
      0,
      lines.findIndex((line) => line.startsWith('  repeat: ')),
    )
    .map((line) => line.trim());
}
