// A terminal for pictures: a verb of serin's on a pseudo-terminal, and what it wrote, drawn by a terminal emulator in a page.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { bin } from './browser.mjs';

const columns = 100, rows = 30;
const { resolve } = createRequire(import.meta.url);

// Two usual palettes of sixteen colours. What is bold is drawn in the bright ones.
const light = {
  background: '#ffffff', foreground: '#1f2328', cursor: '#ffffff', black: '#24292f', white: '#6e7781', brightBlack: '#57606a', brightWhite: '#8c959f',
  red: '#cf222e', green: '#116329', yellow: '#9a6700', blue: '#0969da', magenta: '#8250df', cyan: '#1b7c83',
  brightRed: '#a40e26', brightGreen: '#116329', brightYellow: '#7d4e00', brightBlue: '#0550ae', brightMagenta: '#6639ba', brightCyan: '#1b7c83',
};
const dark = {
  background: '#0d1117', foreground: '#e6edf3', cursor: '#0d1117', black: '#484f58', white: '#b1bac4', brightBlack: '#6e7681', brightWhite: '#ffffff',
  red: '#ff7b72', green: '#3fb950', yellow: '#d29922', blue: '#58a6ff', magenta: '#bc8cff', cyan: '#39c5cf',
  brightRed: '#ffa198', brightGreen: '#56d364', brightYellow: '#e3b341', brightBlue: '#79c0ff', brightMagenta: '#d2a8ff', brightCyan: '#56d4dd',
};

/** Runs a verb on a pseudo-terminal (util-linux' script); written() is everything it wrote so far. */
export function onTerminal(args, env) {
  const child = spawn('script', ['-qefc', `stty cols ${columns} rows ${rows} && exec '${bin}' ${args.join(' ')}`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm-256color', COLORTERM: '', NO_COLOR: undefined, ...env }, stdio: ['pipe', 'pipe', 'inherit'],
  });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  const ended = once(child, 'exit');
  return { written: () => Buffer.concat(chunks), stop: async () => { child.stdin.end('q'); await ended; } };
}

/** Draws what a program wrote and takes its picture. */
export async function photograph(browser, written, path, isDark) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 }, deviceScaleFactor: 1.5 });
  const theme = isDark ? dark : light;
  await page.setContent(`<body style="margin:0;background:${theme.background}"><div id="frame" style="display:inline-block;padding:16px;background:${theme.background}"></div></body>`);
  await page.addStyleTag({ content: await readFile(resolve('@xterm/xterm/css/xterm.css'), 'utf8') });
  await page.addStyleTag({ content: '.xterm .xterm-rows > div { overflow: visible !important; }' }); // a wide last glyph stays whole
  await page.addScriptTag({ content: await readFile(resolve('@xterm/xterm'), 'utf8') });
  await page.evaluate(async ({ columns, rows, theme, bytes }) => {
    const terminal = new Terminal({ cols: columns, rows, theme, fontFamily: '"DejaVu Sans Mono", monospace', fontSize: 13.29, lineHeight: 1.15, cursorInactiveStyle: 'none', scrollback: 0 });
    terminal.open(document.getElementById('frame'));
    await new Promise((done) => terminal.write(Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)), done));
  }, { columns, rows, theme, bytes: written.toString('base64') });
  await page.waitForTimeout(300);
  await page.locator('#frame').screenshot({ path });
  await page.close();
}
