/** Whether a text has a format of JSON Schema. Each runs in time proportional to the text. */
const FORMATS: Readonly<Record<string, (value: string) => boolean>> = {
  date: isDate,
  time: (value) => isTime(value, false),
  'date-time': (value) => {
    const [, date = '', time = ''] = /^(\d{4}-\d{2}-\d{2})[Tt ](.+)$/.exec(value) ?? [];
    return isDate(date) && isTime(time, true);
  },
  email: (value) => /^[^\s@<>]{1,128}@[^\s@<>.]+(?:\.[^\s@<>.]+){1,10}$/.test(value),
  uri: (value) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(value) && URL.canParse(value),
  uuid: (value) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
};

export const FORMAT_NAMES = Object.keys(FORMATS);

/** What a model is told of a format beside its name. */
export const FORMAT_FORMS: Readonly<Record<string, string>> = {
  date: 'YYYY-MM-DD',
  time: 'HH:MM:SS',
  'date-time': 'YYYY-MM-DDTHH:MM:SSZ',
};

/** A format that is not known passes. */
export function hasFormat(value: string, format: string): boolean {
  return FORMATS[format]?.(value) ?? true;
}

function isDate(value: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value) ?? [];
  if (year === undefined) return false;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.toISOString().startsWith(value);
}

function isTime(value: string, needsZone: boolean): boolean {
  const zone = needsZone ? '(?:Z|[+-]\\d{2}:\\d{2})' : '(?:Z|[+-]\\d{2}:\\d{2})?';
  return new RegExp(`^(?:[01]\\d|2[0-3]):[0-5]\\d:(?:[0-5]\\d|60)(?:\\.\\d{1,9})?${zone}$`, 'i').test(value);
}
