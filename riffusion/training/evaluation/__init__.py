"""What a model makes: samples, the judge that classifies them, and how well they match their captions."""
