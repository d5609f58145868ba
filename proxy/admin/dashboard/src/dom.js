// htm gives JSX's comfort without a compiler; every component imports it from here.
import { h } from 'preact';
import htm from 'htm';

export const html = htm.bind(h);
