import { apiKey, apiPath, request } from '../api.ts';
import { type Batch, hasEnded } from '../api-types.ts';
import { Act } from '../parts/act.tsx';

const FILES = ['results', 'errors', 'manifest'] as const;

/** Plain links where no key is needed, so that the browser streams to the disk; with a key they cannot carry it. */
export function Downloads({ batch }: { readonly batch: Batch }) {
  const ended = hasEnded(batch);
  const files = ended ? FILES : (['results', 'errors'] as const);
  return (
    <section>
      <h2>Downloads</h2>
      {!ended && <p class="quiet">What is done so far; the manifest comes at the end.</p>}
      <p class="buttons">
        {files.map((kind) => (
          <Download key={kind} id={batch.id} kind={kind} partial={!ended} />
        ))}
      </p>
    </section>
  );
}

interface DownloadProps {
  readonly id: string;
  readonly kind: (typeof FILES)[number];
  readonly partial: boolean;
}

function Download({ id, kind, partial }: DownloadProps) {
  const href = `${apiPath('batches', id, kind)}${partial ? '?partial=true' : ''}`;
  const suffix = kind === 'manifest' ? 'json' : 'jsonl';
  const name = `${id}-${kind}${partial ? '-partial' : ''}.${suffix}`;
  const label = `${kind}.${suffix}`;
  if (apiKey.value === '') {
    return (
      <a class="button" href={href} download={name}>
        {label}
      </a>
    );
  }
  return (
    <Act
      label={label}
      act={async () => {
        const response = await request(href);
        const url = URL.createObjectURL(await response.blob());
        const link = document.createElement('a');
        link.href = url;
        link.download = name;
        link.click();
        // The browser has taken hold of the blob by the next turn.
        setTimeout(() => URL.revokeObjectURL(url), 0);
      }}
    />
  );
}
