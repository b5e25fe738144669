import { hash } from 'node:crypto';

/** Text that is safe inside a page: only `html` makes it. */
export interface Html {
  readonly safe: string;
}

type Piece = string | number | Html | readonly Html[];

/** Every value is escaped unless it is itself made by `html`. */
export function html(texts: TemplateStringsArray, ...values: readonly Piece[]): Html {
  return { safe: texts.reduce((all, text, index) => all + pieceText(values[index - 1] ?? '') + text) };
}

function pieceText(value: Piece): string {
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return 'safe' in value ? value.safe : value.map(({ safe }) => safe).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Longer texts are cut: a page is for reading. */
const MAX_TEXT = 300;

function escapeText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  // Controls and marks that turn the direction of text could make a page say something else than its source.
  return cut
    .replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '')
    .replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '�');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[], className = ''): Html {
  const cells = (row: readonly string[]): Html[] => row.map((cell) => html`<td>${cell}</td>`);
  return html`<table class="${className}">
    <thead>
      <tr>
        ${head.map((name) => html`<th>${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${cells(row)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** One bar of several parts, with its name on the left and its text on the right. */
export interface Bar {
  readonly name: string;
  readonly parts: readonly number[];
  readonly text: string;
}

const BAR_WIDTH = 420;
const BAR_HEIGHT = 20;
const NAME_WIDTH = 96;

/** Horizontal bars as an SVG; no style attribute is needed, so the policy of the page can forbid them. */
export function bars(rows: readonly Bar[]): Html {
  const most = Math.max(1, ...rows.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0)));
  const draw = ({ name, parts, text }: Bar, index: number): Html => {
    const y = index * BAR_HEIGHT;
    let x = NAME_WIDTH;
    const drawn = parts.map((part, number) => {
      const width = Math.round((part / most) * BAR_WIDTH);
      const rect = html`<rect
        class="part${number}"
        x="${x}"
        y="${y + 3}"
        width="${width}"
        height="${BAR_HEIGHT - 6}"
      />`;
      x += width;
      return rect;
    });
    return html`<text x="0" y="${y + 14}">${name}</text>${drawn}<text class="quiet" x="${x + 8}" y="${y + 14}"
        >${text}</text
      >`;
  };
  const height = rows.length * BAR_HEIGHT;
  return html`<svg viewBox="0 0 760 ${height}" role="img" aria-label="Calls a day">${rows.map(draw)}</svg>`;
}

const STYLE = `
:root{--ink:#1c2430;--quiet:#5c6675;--line:#dfe3e8;--paper:#fff;--back:#f4f5f7;--strong:#24406b;--bad:#b3382c}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--quiet:#9aa5b4;--line:#333c49;--paper:#1a2029;--back:#12161c;--strong:#8fb3ea;--bad:#f08a7e}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1000px;margin:32px auto;padding:8px 40px 40px;background:var(--paper);border:1px solid var(--line);border-radius:10px}
header{padding:24px 0 8px;border-bottom:2px solid var(--strong);margin-bottom:24px}
.brand{margin:0;color:var(--strong);font-weight:600;letter-spacing:.04em;text-transform:uppercase;font-size:12px}
h1{font-size:30px;margin:4px 0}
h2{font-size:18px;margin:36px 0 10px}
.lede{margin:4px 0;font-size:16px}
.note{color:var(--quiet);font-size:13px}
code,.mono td{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:12px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:12px;margin:0}
.figures div{border:1px solid var(--line);border-radius:8px;padding:10px 14px;display:flex;flex-direction:column-reverse}
.figures dt{color:var(--quiet);font-size:12px}
.figures dd{margin:0;font-size:22px;font-variant-numeric:tabular-nums;white-space:nowrap}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:24px;align-items:start}
.control{border-left:4px solid var(--strong);padding-left:20px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--quiet);font-weight:500;font-size:12px;border-bottom:1px solid var(--line);padding:4px 12px 4px 0}
td{border-bottom:1px solid var(--line);padding:5px 12px 5px 0;vertical-align:top;overflow-wrap:break-word}
.mono td{overflow-wrap:anywhere;min-width:7em}
svg{width:100%;height:auto}
svg text{font-size:11px;fill:var(--ink)}
svg .quiet{fill:var(--quiet)}
.part0{fill:var(--strong)}
.part1{fill:var(--bad)}
@media print{body{background:#fff}main{border:0;margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}
`;

/** A page that loads nothing, runs nothing and sends nothing: its policy allows its own style and that is all. */
export function page(title: string, body: readonly Html[]): string {
  const style = hash('sha256', STYLE, 'base64');
  const policy = `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'`;
  const whole = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${{ safe: policy }}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${{ safe: `<style>${STYLE}</style>` }}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `;
  return whole.safe;
}
