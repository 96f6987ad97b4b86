import { apiKey, request } from '../api.ts';
import { Act } from './act.tsx';

interface DownloadLinkProps {
  readonly href: string;
  /** Of the file. */
  readonly name: string;
  readonly label: string;
}

/** A plain link where no key is needed, so that the browser streams to the disk; with a key it cannot carry it. */
export function DownloadLink({ href, name, label }: DownloadLinkProps) {
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
