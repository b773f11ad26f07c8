"""The pages in the browser: templates, style, scripts. Knows requests and errors, but neither the API nor the model."""
