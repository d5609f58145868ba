// serin's dashboard: connects to the admin listener it came from and draws what it hears.
import { render } from 'preact';
import { html } from './dom.js';
import { connect } from './store.js';
import { applyColours } from './colours.js';
import { App } from './app.js';
import './css/tokens.css';
import './css/base.css';
import './css/frame.css';
import './css/hero.css';
import './css/why.css';
import './css/past.css';
import './css/tables.css';
import './css/narrow.css';

applyColours();
connect();
render(html`<${App} />`, document.getElementById('app'));
