const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** XML has no way to write most control characters, so they give way to a replacement character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Text as it may stand in HTML or SVG, between tags or inside a quoted attribute. */
export const escapeMarkup = (text: string): string =>
  text.replace(forbidden, "\ufffd").replace(/[&<>"']/g, (character) => escapes[character] ?? character);

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; attributes are escaped, `children` are markup already. Numbers are rounded to a tenth (of a pixel). */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) =>
    value === undefined
      ? ""
      : ` ${key}="${typeof value === "number" ? String(Math.round(value * 10) / 10) : escapeMarkup(value)}"`,
  );
  const open = `<${name}${written.join("")}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join("")}</${name}>`;
}

/** An element whose content is text, to be escaped. */
export const textElement = (name: string, attributes: Attributes, text: string): string =>
  element(name, attributes, escapeMarkup(text));

/** What a mouse resting on the element shows; nothing for no text. */
export const tip = (text: string | undefined): string => (text === undefined ? "" : textElement("title", {}, text));
