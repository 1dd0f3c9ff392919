"""The ingestion program: runs any challenge `Model` under a budget and writes its predictions.

Stands alone: it imports nothing of `autodl_solver`, so that every submission is judged by the same program.

    ingestion.py      the program; its flags                (start here)
    session.py        the whole run, in the order of the protocol
    loop.py           train and test until the end
    watchdog.py       a second process that ends a model which does not come back
    limits.py         the clock of the budget; the alarm that interrupts a model at its end
    run_files.py      start.txt, NAME.predict_K, end.txt
    formatting.py     scores to text, byte for byte as '{0:g}'
    dataset.py        the dataset as the model sees it; the only reader of TensorFlow
    predictions.py    what a model may return
    records.py        number of records of a folder, lengths checked
    metadata.py       the metadata object of the challenge
    specification.py  the facts in metadata.textproto
    text_format.py    protobuf text format -> Python values
    log.py            one line per step
    errors.py         the exception tree
"""
