"""What a person does with one trained model. Nothing in the pipeline imports it."""
