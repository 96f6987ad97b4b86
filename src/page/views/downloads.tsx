import { apiPath, withQuery } from '../api.ts';
import { type Batch, hasEnded } from '../api-types.ts';
import { DownloadLink } from '../parts/download-link.tsx';

const ROWS = [
  ['results', 'jsonl'],
  ['results', 'csv'],
  ['results', 'parquet'],
  ['errors', 'jsonl'],
  ['errors', 'csv'],
] as const;
const MANIFEST = ['manifest', 'json'] as const;

export function Downloads({ batch }: { readonly batch: Batch }) {
  const ended = hasEnded(batch);
  const files = ended ? [...ROWS, MANIFEST] : ROWS;
  return (
    <section>
      <h2>Downloads</h2>
      {!ended && <p class="quiet">What is done so far; the manifest comes at the end.</p>}
      <p class="buttons">
        {files.map(([kind, format]) => (
          <Download key={`${kind} ${format}`} id={batch.id} kind={kind} format={format} partial={!ended} />
        ))}
      </p>
    </section>
  );
}

interface DownloadProps {
  readonly id: string;
  readonly kind: 'results' | 'errors' | 'manifest';
  readonly format: 'jsonl' | 'csv' | 'parquet' | 'json';
  readonly partial: boolean;
}

function Download({ id, kind, format, partial }: DownloadProps) {
  const href = withQuery(apiPath('batches', id, kind), {
    format: kind === 'manifest' ? undefined : format,
    partial: partial ? 'true' : undefined,
  });
  const name = `${id}-${kind}${partial ? '-partial' : ''}.${format}`;
  const label = `${kind}.${format}`;
  return <DownloadLink href={href} name={name} label={label} />;
}
