"""The pages in the browser: templates, style, scripts. It imports neither the API nor the model."""
