import type { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { findWorkflow, workflowOf } from '../../../config/config.ts';
import { readDocuments } from '../../documents/read-documents.ts';
import { type InputFlags, readingOf, readMaxDocuments } from '../../operations/input-reading.ts';
import { openInputs } from '../../operations/open-inputs.ts';
import { DocumentRedactors } from '../../redaction/document-redactors.ts';
import { REDACTION_RULES, type RedactionPolicy } from '../../redaction/redaction-policy.ts';
import { allTiers, modelsOfTier } from '../../workflows/workflow.ts';
import { addInputOptions } from '../input-options.ts';
import { globalOptions, readConfig } from '../with-app.ts';

export function addRedactCommand(program: Command): void {
  const command = program
    .command('redact')
    .description('show what would be hidden from providers, as JSON lines; no call is made and nothing is stored')
    .argument('<input...>', 'as for run')
    .option(
      '-w, --workflow <name>',
      'by the policies of its providers; default: every built-in kind and every pattern in use',
    );
  addInputOptions(command).action(async (names: string[], flags: InputFlags & { workflow?: string }) => {
    const config = readConfig(globalOptions(command));
    const policies = policiesOf(config, flags.workflow);
    const input = flags.workflow === undefined ? undefined : findWorkflow(config, flags.workflow)?.input;
    await using opened = await openInputs(config, { names, stdin: process.stdin }, readingOf(flags, input));
    const options = { maxLineBytes: config.ingest.maxLineBytes, maxDocuments: readMaxDocuments(flags.maxDocuments) };
    for await (const entry of readDocuments(opened.inputs, options)) {
      if (entry.kind === 'problem') continue;
      for (const policy of policies) process.stdout.write(`${JSON.stringify(await hide(entry.document, policy))}\n`);
    }
    process.exitCode = 0;
  });
}

interface SeenBy {
  /** Models that see the documents so; absent: no workflow was named. */
  readonly models?: readonly string[];
  /** Absent: nothing is hidden. */
  readonly policy?: RedactionPolicy;
}

async function hide({ id, text }: { readonly id: string; readonly text: string }, { models, policy }: SeenBy) {
  const seenBy = models === undefined ? {} : { seenBy: models };
  if (policy === undefined) return { id, ...seenBy, text, hidden: {} };
  const redactors = new DocumentRedactors(text);
  const redactor = await redactors.for(policy);
  const [redacted = ''] = redactor.redact([text]).texts;
  return { id, ...seenBy, text: redacted, hidden: Object.fromEntries(redactors.counts()) };
}

/** One line a document for each way in which a provider of the workflow sees it. */
function policiesOf(config: Config, workflow: string | undefined): readonly SeenBy[] {
  if (workflow === undefined) {
    const patterns = [...config.models.values()].flatMap(({ redact }) => redact?.patterns ?? []);
    return [
      { policy: { rules: REDACTION_RULES, patterns: [...new Map(patterns.map((one) => [one.name, one])).values()] } },
    ];
  }
  const ways = new Map<string, { models: string[]; policy?: RedactionPolicy }>();
  for (const { name, redact } of allTiers(workflowOf(config, workflow).spec).flatMap(modelsOfTier)) {
    const key = JSON.stringify(redact ?? null);
    const known = ways.get(key) ?? { models: [], ...(redact === undefined ? {} : { policy: redact }) };
    known.models.push(name);
    ways.set(key, known);
  }
  return [...ways.values()];
}
