/**
 * Markdown as nodes of the page, never as HTML text: whatever is written, nothing of it can become an element that is not made here. Paragraphs, headings,
 * lists with check boxes, quotes, code, rules, links, emphasis.
 */
import type { ComponentChildren, JSX } from "preact";

type Node = ComponentChildren;
const nestingMax = 8;

export function Markdown({ text }: { text: string }): JSX.Element {
  return <div class="markdown">{blocks(text.split("\n"), 0)}</div>;
}

const fence = /^\s*(```+|~~~+)/;
const heading = /^(#{1,6})\s+(.*?)\s*#*$/;
const item = /^(\s*)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const quote = /^\s*>\s?(.*)$/;
const rule = /^\s*(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;

function blocks(lines: readonly string[], depth: number): Node[] {
  const made: Node[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const taken = special(lines, at, depth);
    if (taken !== undefined) {
      made.push(taken.node);
      at = taken.next;
    } else if (line.trim() === "") at += 1;
    else {
      let end = at + 1;
      while (end < lines.length && (lines[end] ?? "").trim() !== "" && !begins(lines[end] ?? "")) end += 1;
      made.push(
        <p>{lines.slice(at, end).flatMap((each, place) => [place > 0 ? <br /> : null, ...inline(each, 0)])}</p>,
      );
      at = end;
    }
  }
  return made;
}

function begins(line: string): boolean {
  return [fence, heading, item, quote, rule].some((form) => form.test(line));
}

type Taken = { readonly node: Node; readonly next: number };

function special(lines: readonly string[], at: number, depth: number): Taken | undefined {
  const line = lines[at] ?? "";
  if (fence.test(line)) return code(lines, at);
  const [, marks, title] = heading.exec(line) ?? [];
  if (marks !== undefined) {
    // The page has its own first two levels.
    const Tag = `h${Math.min(6, marks.length + 2)}` as "h3";
    return { node: <Tag>{inline(title ?? "", 0)}</Tag>, next: at + 1 };
  }
  if (rule.test(line)) return { node: <hr />, next: at + 1 };
  if (depth >= nestingMax) return undefined;
  if (quote.test(line)) {
    let end = at;
    while (end < lines.length && quote.test(lines[end] ?? "")) end += 1;
    const inner = lines.slice(at, end).map((each) => quote.exec(each)?.[1] ?? "");
    return { node: <blockquote>{blocks(inner, depth + 1)}</blockquote>, next: end };
  }
  return item.test(line) ? list(lines, at, depth) : undefined;
}

function code(lines: readonly string[], at: number): Taken {
  const mark = fence.exec(lines[at] ?? "")?.[1] ?? "```";
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? "").trim().startsWith(mark)) end += 1;
  return {
    node: (
      <pre tabIndex={0}>
        <code>{lines.slice(at + 1, end).join("\n")}</code>
      </pre>
    ),
    next: end + 1,
  };
}

function list(lines: readonly string[], at: number, depth: number): Taken {
  const [, indent = "", bullet] = item.exec(lines[at] ?? "") ?? [];
  const items: { text: string; below: string[] }[] = [];
  let end = at;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? "";
    const [, own = "", mark, , text] = item.exec(line) ?? [];
    const last = items.at(-1);
    if (text !== undefined && own.length <= indent.length) {
      if ((mark === undefined) !== (bullet === undefined)) break;
      items.push({ text, below: [] });
    } else if (last !== undefined && /^\s+\S/.test(line)) last.below.push(line.replace(/^\s{1,4}/, ""));
    else break;
  }
  const nodes = items.map(({ text, below }) => (
    <li>
      {checked(text)}
      {below.length > 0 ? blocks(below, depth + 1) : null}
    </li>
  ));
  return { node: bullet === undefined ? <ol>{nodes}</ol> : <ul>{nodes}</ul>, next: end };
}

function checked(text: string): Node[] {
  const [, mark, rest] = /^\[([ xX])\]\s+(.*)$/.exec(text) ?? [];
  if (mark === undefined) return inline(text, 0);
  return [<span class="check-mark">{mark === " " ? "☐ " : "☑ "}</span>, ...inline(rest ?? "", 0)];
}

/** One of: code, bold, italic, struck through, link, bare address. Each is bounded, so that no text can take long. */
const spans =
  /`([^`]{1,1000})`|\*\*([^*]{1,1000})\*\*|__([^_]{1,1000})__|\*([^*\s][^*]{0,1000})\*|(?<![\p{L}\p{N}])_([^_\s][^_]{0,1000})_(?![\p{L}\p{N}])|~~([^~]{1,1000})~~|\[([^\]]{0,500})\]\(([^()\s]{0,1000})\)|(https?:\/\/[^\s<>()]+)/u;

function inline(text: string, depth: number): Node[] {
  const made: Node[] = [];
  let rest = text;
  for (let found = spans.exec(rest); found !== null && depth < nestingMax; found = spans.exec(rest)) {
    if (found.index > 0) made.push(rest.slice(0, found.index));
    made.push(span(found, depth + 1));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest !== "") made.push(rest);
  return made;
}

function span(found: RegExpExecArray, depth: number): Node {
  const [whole, ticks, stars, lines, star, line, struck, label, target, bare] = found;
  if (ticks !== undefined) return <code>{ticks}</code>;
  const strong = stars ?? lines;
  if (strong !== undefined) return <strong>{inline(strong, depth)}</strong>;
  const soft = star ?? line;
  if (soft !== undefined) return <em>{inline(soft, depth)}</em>;
  if (struck !== undefined) return <del>{inline(struck, depth)}</del>;
  const address = safeAddress(bare ?? target ?? "");
  if (address === undefined) return whole;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      {bare ?? label}
    </a>
  );
}

/** Only what cannot run: no `javascript:` or `data:`, however it is written. */
function safeAddress(address: string): string | undefined {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
