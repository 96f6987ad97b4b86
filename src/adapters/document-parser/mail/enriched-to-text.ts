/** Text of text/enriched (RFC 1896) and its forerunner text/richtext: no commands, a single line break is a space. */
export function enrichedToText(source: string): string {
  const text = source
    .replace(/\r\n?/g, '\n')
    .replaceAll('<<', '\0')
    .replace(/<param>[\s\S]*?<\/param>/gi, '')
    .replace(/<comment>[\s\S]*?<\/comment>/gi, '')
    .replace(/\n+/g, (breaks) => (breaks.length === 1 ? ' ' : breaks.slice(1)))
    .replace(/<(?:nl|np)>|<\/paragraph>/gi, '\n')
    .replace(/<lt>/gi, '\0')
    .replace(/<\/?[a-z][\w-]{0,60}>/gi, '');
  return text
    .replaceAll('\0', '<')
    .replace(/ *\n */g, '\n')
    .trim();
}
