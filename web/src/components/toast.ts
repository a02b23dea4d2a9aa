/** The id of the page's only toaster. */
export const TOASTER = "toaster";
