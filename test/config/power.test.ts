import { describe, expect, it } from 'vitest';
import { loadConfigValue } from '../../config/load.ts';

const load = (provider: object) =>
  loadConfigValue(
    { providers: { gpu: { kind: 'openai', baseUrl: 'http://gpu:8000/v1', ...provider } } },
    { env: { PATH: '/bin', HOME: '/root', SECRET: 'x' }, cwd: '/tmp' },
  );

describe('power of a provider', () => {
  it('is ready by its list of models, and stops after ten minutes, where nothing else is said', () => {
    const config = load({ power: { start: ['up'], stop: 'down' }, price: { perHour: 1.5 } });
    expect(config.providers.get('gpu')?.power).toEqual({
      start: ['up'],
      ready: { url: 'http://gpu:8000/v1/models' },
      stop: 'down',
      afterIdleMs: 600_000,
      perHour: 1_500_000_000,
    });
    expect(config.commandEnvironment).toEqual({ PATH: '/bin', HOME: '/root' });
  });

  it('may be ready by an address or a program', () => {
    const ready = (value: unknown) =>
      load({ power: { start: ['up'], stop: ['down'], ready: value, afterIdleMinutes: 0 } }).providers.get('gpu')?.power;
    expect(ready('http://gpu:8000/health')).toMatchObject({ ready: { url: 'http://gpu:8000/health' }, afterIdleMs: 0 });
    expect(ready(['check', 'gpu'])).toMatchObject({ ready: { command: ['check', 'gpu'] } });
    expect(() => ready('no address')).toThrow(/providers\.gpu\.power\.ready/);
  });

  it('is needed for a price of an hour', () => {
    expect(() => load({ price: { perHour: 1 } })).toThrow(/providers\.gpu\.price: an hour is booked while power has/);
    expect(() => load({ power: { start: ['up'] } })).toThrow(/providers\.gpu\.power\.stop/);
  });
});
