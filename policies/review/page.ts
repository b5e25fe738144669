import { hash } from 'node:crypto';

/** A page of its own: no script, no font, no image, no connection; only its one style, named by its hash. */

/** Text that is HTML already; everything else is escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | null | readonly Part[];

/** A template whose values are escaped unless they are Html. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, piece, i) => text + render(parts[i - 1] ?? null) + piece));
}

function render(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replaceAll(/[&<>"']/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
}

export function page(title: string, body: Html): string {
  const allowed = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'`;
  const head = html`<meta charset="utf-8" /><meta http-equiv="Content-Security-Policy" content="${allowed}" /><meta
      name="viewport"
      content="width=device-width, initial-scale=1"
    /><meta name="referrer" content="no-referrer" /><title>${title}</title>`;
  const style = `<style>${STYLE}</style>`;
  return `<!doctype html>\n<html lang="en"><head>${head.text}${style}</head>\n<body><main>${body.text}</main></body></html>\n`;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6675;--line:#dfe4ea;--card:#fff;--ground:#f5f7f9;--accent:#1d5fa8;--good:#1a7f4b;--bad:#b3261e;--warn:#9a6200;--add:#e5f5ec;--del:#fdeae8}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#98a4b3;--line:#2e3742;--card:#171d25;--ground:#10151b;--accent:#7db4f0;--good:#5fcf95;--bad:#ff8b82;--warn:#e9b04e;--add:#12301f;--del:#3a1a18}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1020px;margin:0 auto;padding:32px 20px 80px}
h1{font-size:15px;font-weight:600;color:var(--soft);margin:0 0 6px;letter-spacing:.02em}
.lead{font-size:27px;line-height:1.25;font-weight:650;margin:0 0 14px;text-wrap:balance}
h2{font-size:18px;margin:38px 0 10px}
p{margin:8px 0}
.soft{color:var(--soft)}
nav{margin:14px 0 0;display:flex;flex-wrap:wrap;gap:6px 16px;font-size:14px}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:20px 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
.card b{display:block;font-size:23px;font-weight:650;font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:13px}
.note{border-left:4px solid var(--warn);background:var(--card);padding:8px 14px;margin:8px 0;border-radius:0 8px 8px 0}
.note.bad{border-color:var(--bad)}.note.good{border-color:var(--good)}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line);border-radius:8px;margin:10px 0 18px;font-size:14px}
th,td{text-align:left;padding:7px 12px;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
thead th{border-top:0;color:var(--soft);font-weight:600;font-size:13px}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 0;overflow-x:auto;margin:8px 0;tab-size:4}
pre div{padding:0 14px;white-space:pre;min-width:max-content}
pre .a{background:var(--add)}pre .d{background:var(--del)}
details{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:6px 0;padding:0 14px}
details[open]{padding-bottom:10px}
summary{cursor:pointer;padding:8px 0;list-style-position:outside}
details details{border-color:transparent;border-top-color:var(--line);border-radius:0;margin:0;padding:0}
.tag{display:inline-block;border-radius:5px;padding:0 7px;font-size:12px;font-weight:600;border:1px solid currentColor;color:var(--soft);margin-right:4px}
.tag.deny,.tag.removed,.tag.critical{color:var(--bad)}.tag.allow,.tag.added{color:var(--good)}.tag.require_approval,.tag.undecided,.tag.changed,.tag.metadata,.tag.high{color:var(--warn)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:6px 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
:target{outline:2px solid var(--accent);outline-offset:3px}
@media print{details{break-inside:avoid}nav{display:none}}
`;
