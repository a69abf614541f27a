/** The source of search.js. */
declare const text: string;
export default text;
