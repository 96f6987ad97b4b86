import type { Catalogue } from '../../config/catalogue.ts';

const LINE_WIDTH = 120;

/** JSON as the formatter of this project keeps it: each object on one line where it fits, the outermost never. */
export function printCatalogue(catalogue: Catalogue): string {
  return `${printBroken(catalogue, '')}\n`;
}

function printValue(value: unknown, indent: string, keyLength: number, isLast: boolean): string {
  const flat = printFlat(value);
  const fits = indent.length + keyLength + flat.length + (isLast ? 0 : ','.length) <= LINE_WIDTH;
  return fits || typeof value !== 'object' || value === null ? flat : printBroken(value, indent);
}

function printBroken(value: object, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item, index) => inner + printValue(item, inner, 0, index === value.length - 1)).join(',\n')}\n${indent}]`;
  }
  const members = Object.entries(value);
  const lines = members.map(([name, item], index) => {
    const key = `${JSON.stringify(name)}: `;
    return inner + key + printValue(item, inner, key.length, index === members.length - 1);
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function printFlat(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printFlat).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${printFlat(item)}`);
  return `{ ${members.join(', ')} }`;
}
