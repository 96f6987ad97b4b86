import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { boundEnd, StepBound } from '../../src/worker/end-bound.ts';

describe('boundEnd()', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('ends a process that is alive 20 s after its worker has stopped, and says what kept it', () => {
    const [exits, lines]: [number[], object[]] = [[], []];
    const note = (event: string, fields?: object) => void lines.push({ event, ...fields });
    const log = { debug: note, info: note, warn: note, error: note };
    boundEnd(log, { exit: (code) => void exits.push(code), open: () => ['TCPSocketWrap', 'Timeout', 'TCPSocketWrap'] });
    vi.advanceTimersByTime(19_999);
    expect(exits).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(exits).toEqual([0]);
    expect(lines).toEqual([{ event: 'worker:late', seconds: 20, open: ['TCPSocketWrap', 'Timeout'] }]);
  });
});

describe('StepBound', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives up once where a step takes ten seconds, counted again for each step', () => {
    const giveUp = vi.fn();
    using bound = new StepBound(giveUp);
    bound.begin();
    vi.advanceTimersByTime(9_000);
    bound.begin();
    vi.advanceTimersByTime(9_999);
    expect(giveUp).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(giveUp).toHaveBeenCalledTimes(1);
  });

  it('gives nothing up that has ended', () => {
    const giveUp = vi.fn();
    {
      using bound = new StepBound(giveUp);
      bound.begin();
    }
    vi.advanceTimersByTime(60_000);
    expect(giveUp).not.toHaveBeenCalled();
  });
});

describe('boundEnd() in a process of its own', () => {
  const program = (keptAliveBy: string, milliseconds: number) => `
    import { boundEnd } from ${JSON.stringify(new URL('../../src/worker/end-bound.ts', import.meta.url).href)};
    const note = (event) => console.log(event);
    ${keptAliveBy}
    boundEnd({ debug: note, info: note, warn: note, error: note }, undefined, ${milliseconds});
  `;
  const run = (source: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8', timeout: 30_000 });

  it('ends it although a server listens', () => {
    const { status, stdout } = run(program(`(await import('node:net')).createServer().listen(0);`, 1));
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'worker:late\n' });
  });

  it('keeps none alive', () => {
    const { status, stdout } = run(program('', 3_600_000));
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});
