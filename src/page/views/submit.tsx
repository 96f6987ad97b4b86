import { useEffect, useState } from 'preact/hooks';
import { get, messageOf, request, withQuery } from '../api.ts';
import type { Batch, Plan, Workflow } from '../api-types.ts';
import { count, counted } from '../format.ts';
import { Modal, Problem, Whole } from '../parts/frame.tsx';
import { Requirements } from '../parts/requirements.tsx';
import { Usd } from '../parts/values.tsx';
import { batchHref } from '../route.ts';
import { useLoad } from '../use-load.ts';

interface Wishes {
  readonly workflow: string;
  readonly id: string;
  readonly budgetUsd: string;
  readonly tenant: string;
  readonly textField: string;
  readonly idField: string;
  readonly skipInvalid: boolean;
}

const NO_WISHES: Wishes = {
  workflow: '',
  id: '',
  budgetUsd: '',
  tenant: '',
  textField: '',
  idField: '',
  skipInvalid: false,
};

/** Files, a workflow, what it would cost, and only then the button that spends money. */
export function Submit({ dropped, close }: { readonly dropped: readonly File[]; readonly close: () => void }) {
  const [workflows] = useLoad('workflows', (signal) =>
    get<{ workflows: readonly Workflow[] }>('/api/v1/workflows', signal),
  );
  return (
    <Modal title="New batch" close={close}>
      <Whole loaded={workflows}>
        {({ workflows: all }) => <SubmitForm workflows={all} dropped={dropped} close={close} />}
      </Whole>
    </Modal>
  );
}

interface SubmitFormProps {
  readonly workflows: readonly Workflow[];
  readonly dropped: readonly File[];
  readonly close: () => void;
}

function SubmitForm({ workflows, dropped, close }: SubmitFormProps) {
  const [files, setFiles] = useState(dropped);
  const [wishes, setWishes] = useState<Wishes>({ ...NO_WISHES, workflow: workflows[0]?.name ?? '' });
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [plan, setPlan] = useState<Plan>();
  useEffect(() => setFiles(dropped), [dropped]);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const { skipInvalid, ...rest } = wishes;
      const query = { ...rest, ...(skipInvalid ? { skipInvalid: 'true' } : {}) };
      const response = await request(withQuery('/api/v1/batches', query), { method: 'POST', body: formOf(files) });
      const batch = (await response.json()) as Batch;
      location.hash = batchHref(batch.id);
      close();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  const ready = plan !== undefined && plan.documents > 0 && (plan.problems === 0 || wishes.skipInvalid);
  return (
    <form onSubmit={(event) => void submit(event)}>
      <label>
        Documents
        <input
          type="file"
          multiple
          required={files.length === 0}
          onChange={(event) => setFiles([...(event.currentTarget.files ?? [])])}
        />
      </label>
      <p class="quiet">
        {files.length === 0
          ? 'JSONL, CSV, TSV, Parquet, text, HTML, PDF or mail; also .gz and .zst. Or drop files anywhere on the page.'
          : files.map(({ name, size }) => `${name} (${count(size)} bytes)`).join(', ')}
      </p>
      <Fields workflows={workflows} wishes={wishes} set={(some) => setWishes({ ...wishes, ...some })} />
      <PlanOf files={files} wishes={wishes} set={setPlan} />
      {problem !== undefined && <Problem>{problem}</Problem>}
      <footer>
        <button type="submit" class="primary" disabled={busy || !ready}>
          {busy ? 'Submitting…' : plan === undefined ? 'Submit' : `Submit ${counted(plan.documents, 'document')}`}
        </button>
      </footer>
    </form>
  );
}

interface FieldsProps {
  readonly workflows: readonly Workflow[];
  readonly wishes: Wishes;
  readonly set: (some: Partial<Wishes>) => void;
}

function Fields({ workflows, wishes, set }: FieldsProps) {
  const text = (name: 'id' | 'budgetUsd' | 'tenant' | 'textField' | 'idField', label: string) => {
    const take = (event: { readonly currentTarget: HTMLInputElement }) =>
      set({ [name]: event.currentTarget.value.trim() });
    // What the plan depends on is taken when it is whole: each change of it sends the files.
    const when = name.endsWith('Field') || name === 'tenant' ? { onChange: take } : { onInput: take };
    return (
      <label>
        {label}
        <input value={wishes[name]} inputMode={name === 'budgetUsd' ? 'decimal' : 'text'} {...when} />
      </label>
    );
  };
  return (
    <>
      <div class="fields">
        <label>
          Workflow
          <select value={wishes.workflow} onChange={(event) => set({ workflow: event.currentTarget.value })}>
            {workflows.map(({ name, task }) => (
              <option key={name} value={name}>
                {name} ({task})
              </option>
            ))}
          </select>
        </label>
        {text('budgetUsd', 'Limit in dollars (optional)')}
      </div>
      <details>
        <summary>Id, tenant, columns</summary>
        <div class="fields">
          {text('id', 'Id of the batch')}
          {text('tenant', 'Tenant')}
          {text('textField', 'Column or field with the text')}
          {text('idField', 'Column or field with the id')}
        </div>
      </details>
      <label class="check">
        <input
          type="checkbox"
          checked={wishes.skipInvalid}
          onChange={(event) => set({ skipInvalid: event.currentTarget.checked })}
        />
        Documents that cannot be read become error rows
      </label>
    </>
  );
}

interface PlanProps {
  readonly files: readonly File[];
  readonly wishes: Wishes;
  readonly set: (plan: Plan | undefined) => void;
}

/** Nothing is stored and no model is asked for this. */
function PlanOf({ files, wishes, set }: PlanProps) {
  const { workflow, budgetUsd, tenant, textField, idField } = wishes;
  const query = { workflow, tenant, textField, idField };
  const key = JSON.stringify([query, files.map(({ name, size, lastModified }) => [name, size, lastModified])]);
  const [loaded] = useLoad(key, async (signal) => {
    if (files.length === 0) return undefined;
    const response = await request(withQuery('/api/v1/plan', query), { method: 'POST', body: formOf(files), signal });
    return (await response.json()) as Plan;
  });
  const plan = loaded.state === 'ready' ? loaded.value : undefined;
  useEffect(() => set(plan), [plan]);
  if (files.length === 0) return null;
  return (
    <div role="status">
      {loaded.state === 'failed' && /--(?:text|id)-field/.test(loaded.message) && (
        <p>On this page the column is named above, under “Id, tenant, columns”.</p>
      )}
      <Whole loaded={loaded}>
        {(known) =>
          known === undefined ? null : (
            <>
              <p>
                {counted(known.documents, 'document')}, {counted(known.inputTokens, 'token')}
                {known.problems > 0 && (
                  <strong>, {counted(known.problems, 'problem')}: lines that cannot be read</strong>
                )}
              </p>
              <dl class="tiles">
                {(['low', 'expected', 'worst'] as const).map((which) => (
                  <div key={which}>
                    <dt>{which === 'worst' ? 'worst case' : which}</dt>
                    <dd>
                      <Usd amount={known.costUsd?.[which] ?? null} none="no price is known" />
                    </dd>
                  </div>
                ))}
              </dl>
              <Requirements plan={known} />
              {budgetUsd !== '' && known.costUsd !== null && Number(budgetUsd) < known.costUsd.expected && (
                <p>
                  The limit is under the expected cost. When it is reached the batch pauses, and resumes when it is
                  raised.
                </p>
              )}
            </>
          )
        }
      </Whole>
    </div>
  );
}

function formOf(files: readonly File[]): FormData {
  const form = new FormData();
  for (const file of files) form.append('file', file, file.name);
  return form;
}
