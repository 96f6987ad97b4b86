import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../config/load.ts';
import { dashboardJson, QUERIES } from '../../scripts/dashboard/dashboard.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { METRICS } from '../../src/measures/metric-names.ts';
import { hasPromtool, promtool } from '../helpers/promtool.ts';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
const read = (path: string) => readFileSync(join(deploy, path), 'utf8');

/** Metrics that a query names, histograms by their own name. */
function metricsIn(query: string): readonly string[] {
  return [...query.matchAll(/\b(?:nightmill|process)_[a-z_]+/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
}

interface Container {
  readonly args: readonly string[];
  readonly securityContext: { readonly readOnlyRootFilesystem: boolean; readonly allowPrivilegeEscalation: boolean };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
}

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsNonRoot: boolean };
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

const kustomization = parse(read('kubernetes/kustomization.yaml')) as {
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly [{ readonly name: string; readonly files: readonly string[] }];
};
const resources = kustomization.resources.flatMap((file) =>
  parseAllDocuments(read(`kubernetes/${file}`)).map((document) => {
    expect(document.errors, file).toEqual([]);
    return document.toJS() as Resource;
  }),
);
const find = (kind: string, name: string) => {
  const found = resources.find((resource) => resource.kind === kind && resource.metadata.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
  return found;
};
const deployments = ['nightmill-worker', 'nightmill-serve'].map((name) => find('Deployment', name));

describe('deploy/kubernetes', () => {
  it('has every file of its folder, and every kind in its own API', () => {
    const files = readdirSync(join(deploy, 'kubernetes')).filter((file) => file !== 'kustomization.yaml');
    expect([...kustomization.resources, ...kustomization.configMapGenerator[0].files].sort()).toEqual(files.sort());
    expect(Object.fromEntries(resources.map(({ kind, apiVersion }) => [kind, apiVersion]))).toEqual({
      Deployment: 'apps/v1',
      NetworkPolicy: 'networking.k8s.io/v1',
      PodDisruptionBudget: 'policy/v1',
      ScaledObject: 'keda.sh/v1alpha1',
      Service: 'v1',
      ServiceAccount: 'v1',
      TriggerAuthentication: 'keda.sh/v1alpha1',
    });
  });

  it.each(['nightmill-worker', 'nightmill-serve'])(
    'runs %s without rights, on a root that nobody can write to',
    (name) => {
      const { spec } = find('Deployment', name).spec.template;
      const [container] = spec.containers;
      expect(spec.securityContext.runAsNonRoot).toBe(true);
      expect(container.securityContext).toMatchObject({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.volumeMounts.map(({ name: volume }) => volume).sort()).toEqual(
        spec.volumes.map(({ name: volume }) => volume).sort(),
      );
      expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toContain('/tmp');
      expect(container.ports.map((port) => port.name)).toContain(container.readinessProbe.httpGet.port);
    },
  );

  it('selects its own pods everywhere, lets their ports in, and waits longer than a drain takes', () => {
    const { config, grace } = loadedConfig();
    expect(config.workflows.size).toBeGreaterThan(0);
    for (const { metadata, spec } of deployments) {
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
      expect(spec.template.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(grace);
      const policy = find('NetworkPolicy', metadata.name) as unknown as {
        spec: { podSelector: object; ingress: { ports: { port: number }[] }[] };
      };
      expect(policy.spec.podSelector).toEqual(spec.selector);
      expect(policy.spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual(
        spec.template.spec.containers[0].ports.map(({ containerPort }) => containerPort),
      );
    }
    expect(find('PodDisruptionBudget', 'nightmill-worker').spec.selector).toEqual(deployments[0]?.spec.selector);
    expect(find('Service', 'nightmill-serve').spec.selector).toEqual(deployments[1]?.spec.selector.matchLabels);
  });

  it('lets KEDA ask our own figure, with a key, and keeps one worker', () => {
    const { spec } = find('ScaledObject', 'nightmill-worker') as unknown as { spec: Record<string, never> };
    expect(spec).toMatchObject({
      scaleTargetRef: { name: 'nightmill-worker' },
      minReplicaCount: 1,
      triggers: [
        {
          type: 'metrics-api',
          metadata: {
            url: 'http://nightmill-serve:7300/api/v1/workers-wanted',
            valueLocation: 'workers',
            targetValue: '1',
            authMode: 'bearer',
          },
          authenticationRef: { name: find('TriggerAuthentication', 'nightmill-metrics-key').metadata.name },
        },
      ],
    });
  });
});

it.each([
  ...deployments.map(({ metadata, spec }) => [metadata.name, spec.template.spec.containers[0].args] as const),
  ...['worker', 'serve'].map((name) => [`nightmill-${name}.service`, unitArguments(name)] as const),
])('%s starts a command with options that there are', async (_name, [command = '', ...args]) => {
  const program = await buildProgram([command]);
  const own = program.commands.find((known) => known.name() === command);
  const options = new Set(own?.options.map(({ long }) => long));
  expect(own).toBeDefined();
  for (const option of args.filter((arg) => arg.startsWith('--'))) expect(options).toContain(option);
});

describe('deploy/systemd', () => {
  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

  it.skipIf(!hasSystemd).each(['worker', 'serve'])('has a unit nightmill-%s that systemd accepts', (name) => {
    const { stderr, status } = spawnSync(
      'systemd-analyze',
      ['verify', join(deploy, `systemd/nightmill-${name}.service`)],
      {
        encoding: 'utf8',
      },
    );
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  });

  it('waits longer than a drain takes', () => {
    for (const name of ['worker', 'serve']) {
      const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(read(`systemd/nightmill-${name}.service`)) ?? [];
      expect(Number(seconds) * 1_000).toBeGreaterThan(loadedConfig().grace);
    }
  });
});

describe('deploy/grafana', () => {
  it('is what scripts/dashboard describes, and asks only for metrics that there are', () => {
    expect(read('grafana/dashboard.json')).toBe(dashboardJson());
    const asked = QUERIES.flatMap(metricsIn);
    expect(asked.length).toBeGreaterThan(20);
    for (const name of asked) expect(METRICS).toHaveProperty(name);
  });

  it.skipIf(!hasPromtool)('has queries that Prometheus can read', () => {
    const rules = QUERIES.map((expr, at) => ({
      record: `query:${at}`,
      expr: expr.replaceAll('$__rate_interval', '5m'),
    }));
    const folder = mkdtempSync(join(tmpdir(), 'nightmill-dashboard-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'queries.yaml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(promtool(['check', 'rules', '--lint=none', 'queries.yaml'], '', folder)).toBe('');
  });
});

describe('deploy/prometheus', () => {
  const { groups } = parse(read('prometheus/alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  it('has rules that ask only for metrics that there are, each with what to do and with a test', () => {
    const tests = read('prometheus/alerts.test.yaml');
    for (const { alert, expr, annotations } of rules) {
      expect(metricsIn(expr).length, alert).toBeGreaterThan(0);
      for (const name of metricsIn(expr)) expect(METRICS).toHaveProperty(name);
      expect(Object.keys(annotations)).toEqual(['summary', 'todo']);
      expect(tests).toContain(`alertname: ${alert}`);
    }
  });

  // Debian has it in the package prometheus.
  it.skipIf(!hasPromtool)('has rules that fire when they should (promtool)', () => {
    expect(promtool(['check', 'rules', 'alerts.yaml'], '', join(deploy, 'prometheus'))).toBe('');
    expect(promtool(['test', 'rules', 'alerts.test.yaml'], '', join(deploy, 'prometheus'))).toBe('');
  });
});

function loadedConfig() {
  const env = { REDIS_URL: 'redis://redis:6379', S3_ACCESS_KEY: 'owner', S3_SECRET_KEY: 'letters' };
  const config = loadConfig({ file: join(deploy, 'kubernetes/nightmill.yaml'), env, cwd: deploy });
  return { config, grace: config.worker.shutdownGraceMs };
}

function unitArguments(name: string): readonly string[] {
  const [, line = ''] =
    /^ExecStart=\/usr\/bin\/env nightmill (.+)$/m.exec(read(`systemd/nightmill-${name}.service`)) ?? [];
  return line.split(' ');
}
