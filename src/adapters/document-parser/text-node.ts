/** The few properties of a DOM node that reading its text needs. */
export interface TextNode {
  readonly nodeType: number;
  readonly localName?: string;
  readonly data?: string;
  /** Of elements of our own tree; those of a DOM have `getAttribute`. */
  readonly attributes?: unknown;
  getAttribute?(name: string): string | null;
  readonly firstChild: TextNode | null;
  readonly nextSibling: TextNode | null;
  readonly parentNode: TextNode | null;
}

export function attributeOf(node: TextNode, name: string): string | undefined {
  if (node.attributes instanceof Map) return node.attributes.get(name) as string | undefined;
  return node.getAttribute?.(name) ?? undefined;
}
