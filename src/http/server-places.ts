import { dirname } from 'node:path';
import type { Config } from '../../config/config.ts';

type Places = Pick<Config, 'file' | 'folder' | 'store'>;

/**
 * A text for a client without the server's own folders: its config and its store by what they are, files beside them by their
 * names alone. Messages are written for the command line, whose reader owns those folders.
 */
export function withoutPlaces(text: string, { file, folder, store }: Places): string {
  const words: (readonly [place: string, word: string])[] = [
    [store.url, 'the store'],
    [store.url.replace(/^file:/, ''), 'the store'],
    ...(file === undefined ? [] : ([[file, 'the config']] as const)),
    ...[folder, dirname(folder), ...(file === undefined ? [] : [dirname(file)])].map(
      (place) => [`${place === '/' ? '' : place}/`, ''] as const,
    ),
  ];
  return words
    .filter(([place]) => place.length > 1)
    .toSorted(([a], [b]) => b.length - a.length)
    .reduce((told, [place, word]) => told.replaceAll(place, word), text);
}

/** The same for every text in a value of JSON. */
export function withoutPlacesIn<T>(value: T, places: Places): T {
  const change = (inner: unknown): unknown => {
    if (typeof inner === 'string') return withoutPlaces(inner, places);
    if (Array.isArray(inner)) return inner.map(change);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, change(each)]));
  };
  return change(value) as T;
}
